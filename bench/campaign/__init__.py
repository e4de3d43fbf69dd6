"""The fault campaign: devices write while every part is killed and cut off in turn; nothing may be lost."""
