# Fails unless this image has the libraries that ONNX Runtime's CUDA part loads, in its versions: check-cuda.sh FILE
set -eu
needed=$(ldd "$1")
# The driver's own library comes from the node.
missing=$(echo "$needed" | grep 'not found' | grep -v 'libcuda\.so\.1 ' || true)
cuda=$(echo "$needed" | sed -n 's/.*libcudart\.so\.\([0-9]*\) .*/\1/p')
# These are not linked, but opened by name when a model is loaded.
for library in libcudnn.so.9 "libnvrtc.so.$cuda"; do
  ldconfig -p | grep -q "$library " || missing="$missing $library"
done
if [ -n "$missing" ]; then
  echo "$1 needs of CUDA $cuda what is not in this image:" $missing >&2
  exit 1
fi
