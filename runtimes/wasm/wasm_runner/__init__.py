"""What runs a WebAssembly plugin inside its child process?"""
