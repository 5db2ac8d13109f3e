import type { ChannelOptions } from '@grpc/grpc-js';

/** Largest message in bytes, both ways: room for an image file. Sending has no limit by default in grpc-js. */
export const MAX_MESSAGE_BYTES = 32 * 2 ** 20;

/** Channel options that client and server share. */
export const messageLimits: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
};

/**
 * Likewise: a connection whose other end has gone without a word, as with its machine, is noticed. Not soon, since a model that
 * trains may keep a process from answering for minutes.
 */
export const keepAlive: ChannelOptions = {
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 600_000,
};
