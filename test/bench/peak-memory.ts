import { readFileSync } from 'node:fs';

/**
 * The most memory that this process has had, in bytes, mapped files included. The kernel's own high-water mark of the program: that of
 * `getrusage` begins with what the parent had when it forked. Linux only.
 */
export function peakMemory(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kibibytes) * 1024;
}
