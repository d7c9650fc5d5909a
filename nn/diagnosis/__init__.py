"""`nn.doctor`: the mistakes of a training program that nothing else tells of, found by trying."""

from .examination import doctor as doctor
from .report import Finding as Finding
from .report import Report as Report
