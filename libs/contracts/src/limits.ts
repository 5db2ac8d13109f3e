import type { ChannelOptions } from '@grpc/grpc-js';

/** Largest message in bytes, both ways: room for an image file. Sending has no limit by default in grpc-js. */
export const MAX_MESSAGE_BYTES = 32 * 2 ** 20;

/** Channel options that client and server share. */
export const messageLimits: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
};

/**
 * Channel options by which a side notices that the other one is gone without a word, as machines and networks go: it pings, and ends
 * connections on which nothing comes back for `lostAfterMs`. A process that computes without a pause answers nothing meanwhile.
 */
export function pings(lostAfterMs: number): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': Math.min(lostAfterMs / 2, 20_000),
    'grpc.keepalive_timeout_ms': lostAfterMs - Math.min(lostAfterMs / 2, 20_000),
  };
}
