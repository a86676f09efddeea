import { BlockList, isIPv6 } from 'node:net';

/** Who may send datagrams, and how many (specification: reliability 4.2, "UDP 2000"). */
export interface SourceRules {
  /** Addresses and networks (`10.0.0.0/8`); none means anybody. */
  readonly allowed: readonly string[];
  /** Of one address, in the mean; a second's worth may come at once. 0 means any number. */
  readonly datagramsPerSecondMax: number;
}

/** Undefined when the datagram may come in, else why not; fit to be a label. */
export type SourceGuard = (address: string) => 'SOURCE_NOT_ALLOWED' | 'SOURCE_RATE' | undefined;

interface Source {
  readonly isAllowed: boolean;
  /** Datagrams that may come now. */
  tokens: number;
  filledAtMs: number;
}

/** Who forges addresses must not fill the memory. */
const sourcesMax = 10_000;

/** @throws TypeError: an allowed source is neither an address nor a network. */
export function createSourceGuard({ allowed, datagramsPerSecondMax }: SourceRules, nowMs: () => number): SourceGuard {
  const list = new BlockList();
  for (const network of allowed) addNetwork(list, network);
  const sources = new Map<string, Source>();
  const isLimited = allowed.length > 0 || datagramsPerSecondMax > 0;

  const sourceOf = (address: string): Source => {
    const known = sources.get(address);
    if (known) return known;
    const isAllowed = allowed.length === 0 || list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    const source = { isAllowed, tokens: datagramsPerSecondMax, filledAtMs: nowMs() };
    const [oldest] = sources.keys();
    if (oldest !== undefined && sources.size >= sourcesMax) sources.delete(oldest);
    sources.set(address, source);
    return source;
  };

  return (address) => {
    if (!isLimited) return undefined;
    const source = sourceOf(address);
    if (!source.isAllowed) return 'SOURCE_NOT_ALLOWED';
    if (datagramsPerSecondMax === 0) return undefined;
    const now = nowMs();
    const filled = source.tokens + ((now - source.filledAtMs) / 1000) * datagramsPerSecondMax;
    source.tokens = Math.min(datagramsPerSecondMax, filled);
    source.filledAtMs = now;
    if (source.tokens < 1) return 'SOURCE_RATE';
    source.tokens -= 1;
    return undefined;
  };
}

/** `10.0.0.0/8`, `fd00::/8`, or an address. */
function addNetwork(list: BlockList, network: string): void {
  const [address = '', bits] = network.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}

/** Whether it can be an allowed source. */
export function isNetwork(text: string): boolean {
  try {
    addNetwork(new BlockList(), text);
    return /^[^/]+(?:\/\d{1,3})?$/.test(text);
  } catch {
    return false;
  }
}
