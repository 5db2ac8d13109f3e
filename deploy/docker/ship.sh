# Leaves of the built repository what one package needs at run time: ship.sh PACKAGE cpu|cuda
set -eu
npm ci --omit=dev --workspace "$1"
onnxruntime=node_modules/onnxruntime-node
if [ -d $onnxruntime ]; then
  rm -r $onnxruntime/bin/*/darwin $onnxruntime/bin/*/win32
  # The CUDA part is not in the package: its own script fetches it from NuGet.
  if [ "$2" = cuda ]; then node $onnxruntime/script/install.js --onnxruntime-node-install=cuda12; fi
fi
rm -rf test docs deploy/helm proto .nx
