"""One child: how it is born, limited, read, written, and how its whole tree dies."""
