"""`python -m rulenet …` and, on several GPUs, `torchrun -m rulenet …`: the command line."""

from rulenet.cli.main import main

if __name__ == "__main__":
    main()
