import { toBinary } from '@bufbuild/protobuf';
import type { DescFile, DescService } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

/** Names of the services that `addReflection` adds. */
export const REFLECTION = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'] as const;

/** Lets tools such as grpcurl ask a server which services and messages it has (grpc.reflection.v1 and v1alpha). */
export function addReflection(server: Pick<Server, 'addService'>, services: readonly DescService[]): void {
  const files = new Set<DescFile>();
  const visit = (file: DescFile): void => {
    file.dependencies.forEach(visit);
    files.add(file);
  };
  services.forEach((service) => visit(service.file));
  const fileDescriptorProtos = [...files].map(({ proto }) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
  // All that ReflectionService reads of a package definition.
  const format = 'Protocol Buffer 3 EnumDescriptorProto';
  const definition = Object.fromEntries(
    services.map(({ typeName }) => [typeName, { format, type: {}, fileDescriptorProtos } as const]),
  );
  new ReflectionService(definition, { services: services.map(({ typeName }) => typeName) }).addToServer(server);
}
