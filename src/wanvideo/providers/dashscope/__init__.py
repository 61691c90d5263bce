"""Wan on Alibaba Cloud Model Studio, through the official `dashscope` package."""
