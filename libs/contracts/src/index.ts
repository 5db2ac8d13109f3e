/** The contracts between the services: messages and services generated from proto/, and typed gRPC on top of them. */
export * from './gen/mpa/v1/annotator_pb.js';
export * from './gen/mpa/v1/evaluator_pb.js';
export * from './gen/mpa/v1/model_pb.js';
export * from './gen/mpa/v1/parity_pb.js';
export * from './gen/mpa/v1/records_pb.js';
export * from './gen/mpa/v1/trainer_pb.js';
export * from './gen/mpa/v1/worker_pb.js';
export { create, fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
export type { DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
export { CertificateFiles, TlsError, type CertificateFilesOptions, type TlsFiles } from './certificate-files.js';
export { clientCredentials } from './client-credentials.js';
export { createClient, type CallOptions, type Client, type ClientOptions } from './client.js';
export { MAX_MESSAGE_BYTES, messageLimits, pings } from './limits.js';
export { isLoopback } from './loopback.js';
export { RpcError, toRpcError, type RpcCode } from './rpc-error.js';
export { implement, type CallContext, type Handlers, type Implementation, type ImplementOptions } from './server.js';
export type { WireDefinition } from './service-definition.js';
export { taskName, taskOf } from './task-name.js';
