"""Sources of public opinion: each a plug-in behind one protocol. tests/contracts/test_opinion_source.py is what each must hold."""
