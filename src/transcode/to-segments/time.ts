import { point, zero } from '../../codec/json-bytes.ts';
import type { Page } from './page.ts';

/** Times of OTLP, 64 bits of nanoseconds, as decimal text without a bigint between. */
export class TimeOffsets {
  seconds = 0;
  nanoseconds = 0;

  /** Divides the fixed64 at `at` by 10^9, 16 bits at a time, so that a double holds each step exactly. */
  read(page: Page, at: number): void {
    const low = page.view.getUint32(at, true);
    const high = page.view.getUint32(at + 4, true);
    const first = Math.floor(high / nanosecondsPerSecond);
    let rest = (high - first * nanosecondsPerSecond) * 0x1_0000 + (low >>> 16);
    const second = Math.floor(rest / nanosecondsPerSecond);
    rest = (rest - second * nanosecondsPerSecond) * 0x1_0000 + (low & 0xffff);
    const third = Math.floor(rest / nanosecondsPerSecond);
    this.seconds = (first * 0x1_0000 + second) * 0x1_0000 + third;
    this.nanoseconds = rest - third * nanosecondsPerSecond;
  }

  /** Epoch seconds as the shortest exact decimal. */
  writeSeconds(page: Page): void {
    page.integer(this.seconds);
    if (this.nanoseconds === 0) return;
    page.byte(point);
    page.digits(this.nanoseconds, 9);
    while (page.bytes[page.pos - 1] === zero) page.pos -= 1;
  }

  /** Nanoseconds since 1970, of times after the first second. */
  writeNanoseconds(page: Page): void {
    page.integer(this.seconds);
    page.digits(this.nanoseconds, 9);
  }
}

const nanosecondsPerSecond = 1e9;
