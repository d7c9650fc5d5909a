"""PyTorch's torch.nn.utils: clipping, parameters as one vector, fused layers, parametrizations, pruning."""

from optim.clip import clip_grad_norm_ as clip_grad_norm_
from optim.clip import clip_grad_value_ as clip_grad_value_
from optim.clip import clip_grads_with_norm_ as clip_grads_with_norm_
from optim.clip import get_total_norm as get_total_norm

from . import parametrizations as parametrizations
from . import parametrize as parametrize
from . import prune as prune
from .fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
from .fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
from .fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
from .fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
from .reparametrized import remove_spectral_norm as remove_spectral_norm
from .reparametrized import remove_weight_norm as remove_weight_norm
from .reparametrized import spectral_norm as spectral_norm
from .reparametrized import weight_norm as weight_norm
from .vectors import parameters_to_vector as parameters_to_vector
from .vectors import vector_to_parameters as vector_to_parameters
