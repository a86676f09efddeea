/** What one side of a test raises and the other waits for. */
export interface Signal {
  readonly raised: Promise<void>;
  raise(): void;
}

export function createSignal(): Signal {
  let raise = (): void => {};
  const raised = new Promise<void>((resolve) => (raise = resolve));
  return { raised, raise: () => raise() };
}
