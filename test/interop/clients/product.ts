import type { RunningRaybridge } from '../../support/raybridge.ts';

/** The Raybridge that all clients of one test file talk to. */
export interface Product {
  readonly raybridge: RunningRaybridge;
  /** host:port of the X-Ray API, by way of the recorder. */
  readonly api: string;
  /** Epoch seconds: when the test began. */
  readonly now: number;
}

/** Given to those who describe tests before anything runs. */
export type Given = () => Product;
