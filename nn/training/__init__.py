"""How `nn.Model` trains: what compile keeps, what fit does with it, what is saved and how a broken run goes on."""
