#pragma once
extern "C" int ioctl(int file, unsigned long request, ...);
