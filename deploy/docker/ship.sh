# Leaves of the built repository what one package needs at run time: ship.sh PACKAGE
set -eu
npm ci --omit=dev --workspace "$1"
onnxruntime=node_modules/onnxruntime-node
if [ -d $onnxruntime ]; then rm -r $onnxruntime/bin/*/darwin $onnxruntime/bin/*/win32; fi
rm -rf test docs deploy/helm proto .nx
