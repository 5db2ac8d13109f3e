// What ONNX Runtime's CUDA provider asks of a GPU before anything runs on it: that there is one, its memory (the host's), streams
// and handles. Compiled with the other symbols that the provider wants, which do nothing and say that all went well.
#include <stdlib.h>
#include <string.h>

// cudaDeviceProp of CUDA 13 as far as it is filled.
struct properties {
  char name[256], uuid[16], luid[8];
  unsigned node_mask;
  size_t global_memory, shared_memory_per_block;
  int registers_per_block, warp_size;
  size_t pitch;
  int threads_per_block, block_sizes[3], grid_sizes[3];
  size_t constant_memory;
  int major, minor;
};

static int allocate(void **memory, size_t bytes) {
  *memory = malloc(bytes == 0 ? 1 : bytes);
  return 0;
}

static int copy(void *to, const void *from, size_t bytes) {
  memcpy(to, from, bytes);
  return 0;
}

static int release(void *memory) {
  free(memory);
  return 0;
}

static int number(int *into, int value) {
  *into = value;
  return 0;
}

int cudaGetDeviceCount(int *count) { return number(count, 1); }
int cudaGetDevice(int *device) { return number(device, 0); }
int cudaRuntimeGetVersion(int *version) { return number(version, 13000); }
int cudaDriverGetVersion(int *version) { return number(version, 13000); }
int cudaStreamIsCapturing(void *stream, int *status) { return number(status, 0); }
int cudaDeviceGetAttribute(int *value, int attribute, int device) { return number(value, 1024); }

int cudaGetDeviceProperties(struct properties *properties, int device) {
  properties->global_memory = (size_t)64 << 30;
  properties->shared_memory_per_block = 48 << 10;
  properties->registers_per_block = 65536;
  properties->warp_size = 32;
  properties->threads_per_block = 1024;
  properties->major = 8;
  properties->minor = 0;
  return 0;
}

int cudaMemGetInfo(size_t *available, size_t *total) {
  *available = *total = (size_t)64 << 30;
  return 0;
}

int cudaMalloc(void **memory, size_t bytes) { return allocate(memory, bytes); }
int cudaMallocHost(void **memory, size_t bytes) { return allocate(memory, bytes); }
int cudaHostAlloc(void **memory, size_t bytes, unsigned flags) { return allocate(memory, bytes); }
int cudaMallocFromPoolAsync(void **memory, size_t bytes, void *pool, void *stream) { return allocate(memory, bytes); }
int cudaFree(void *memory) { return release(memory); }
int cudaFreeHost(void *memory) { return release(memory); }
int cudaFreeAsync(void *memory, void *stream) { return release(memory); }
int cudaMemcpy(void *to, const void *from, size_t bytes, int kind) { return copy(to, from, bytes); }
int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *stream) { return copy(to, from, bytes); }

int cudaMemset(void *memory, int value, size_t bytes) {
  memset(memory, value, bytes);
  return 0;
}

int cudaMemsetAsync(void *memory, int value, size_t bytes, void *stream) { return cudaMemset(memory, value, bytes); }

int cudaStreamCreate(void **stream) { return allocate(stream, 64); }
int cudaStreamCreateWithFlags(void **stream, unsigned flags) { return allocate(stream, 64); }
int cudaEventCreate(void **event) { return allocate(event, 64); }
int cudaEventCreateWithFlags(void **event, unsigned flags) { return allocate(event, 64); }
int cudaMemPoolCreate(void **pool, void *properties) { return allocate(pool, 64); }
int cublasCreate_v2(void **handle) { return allocate(handle, 64); }
int cublasLtCreate(void **handle) { return allocate(handle, 64); }
void *__cudaRegisterFatBinary(void *code) { return malloc(64); }
const char *cudaGetErrorString(int error) { return "stand-in"; }
const char *cudaGetErrorName(int error) { return "stand-in"; }
