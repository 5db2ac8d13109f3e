/**
 * Run as `node try-binding.mjs BINDING`: loads a compiled binding, multiplies two matrices with it and prints
 * `{"version", "gpu"}` as JSON. A process of its own, since a broken library may end the process that loads it.
 */
import { createRequire } from 'node:module';
import { argv, exit } from 'node:process';

const binding = createRequire(import.meta.url)(argv[2]);
const transpose = (name) => ({ name, type: binding.TF_ATTR_BOOL, value: false });
const attributes = [
  transpose('transpose_a'),
  transpose('transpose_b'),
  { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
];
const square = binding.createTensor([2, 2], binding.TF_FLOAT, new Float32Array([1, 2, 3, 4]));
const [product] = binding.executeOp('MatMul', attributes, [square, square], 1);
const values = [...binding.tensorDataSync(product.id)];
if (values.join() !== '7,10,15,22') {
  console.error(`a 2x2 matrix product came out as ${values.join(', ')}`);
  exit(1);
}
console.log(JSON.stringify({ version: binding.TF_Version, gpu: binding.isUsingGpuDevice() }));
