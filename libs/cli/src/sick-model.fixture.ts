/**
 * Preloaded into a process (`node --import`): its device breaks for good after `SICK_AFTER` answers of its models, as a GPU does whose
 * CUDA context is lost.
 */
import { OnnxError, OnnxModel } from '@mpa/onnx';

let left = Number(process.env['SICK_AFTER']);
const { encodeImage, generate } = OnnxModel.prototype;

function refuseIfSick(): void {
  if (left <= 0) throw new OnnxError('ONNX Runtime: CUDA failure 719: unspecified launch failure');
}

OnnxModel.prototype.encodeImage = async function (...call) {
  refuseIfSick();
  return encodeImage.apply(this, call);
};
OnnxModel.prototype.generate = async function (...call) {
  refuseIfSick();
  left -= 1;
  return generate.apply(this, call);
};
