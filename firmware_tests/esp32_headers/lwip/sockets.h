#pragma once
#include <sys/socket.h>
#include <sys/uio.h>
extern "C" {
int accept(int s, sockaddr *address, socklen_t *length);
int bind(int s, const sockaddr *address, socklen_t length);
int connect(int s, const sockaddr *address, socklen_t length);
int shutdown(int s, int how);
int getpeername(int s, sockaddr *address, socklen_t *length);
int getsockname(int s, sockaddr *address, socklen_t *length);
int getsockopt(int s, int level, int name, void *value, socklen_t *length);
int setsockopt(int s, int level, int name, const void *value, socklen_t length);
int listen(int s, int backlog);
ssize_t recvfrom(int s, void *data, size_t size, int flags, sockaddr *from, socklen_t *length);
ssize_t send(int s, const void *data, size_t size, int flags);
ssize_t sendto(int s, const void *data, size_t size, int flags, const sockaddr *to, socklen_t length);
ssize_t lwip_read(int s, void *data, size_t size);
ssize_t lwip_readv(int s, const iovec *parts, int count);
ssize_t lwip_write(int s, const void *data, size_t size);
ssize_t lwip_writev(int s, const iovec *parts, int count);
}
