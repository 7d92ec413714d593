#pragma once
#include <sys/types.h>
extern "C" int pthread_key_create(pthread_key_t *key, void (*destroy)(void *));
extern "C" int pthread_setspecific(pthread_key_t key, const void *value);
extern "C" void *pthread_getspecific(pthread_key_t key);
