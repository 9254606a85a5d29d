"""What holds for the tests of every distribution in this tree."""

pytest_plugins = ["rows"]
