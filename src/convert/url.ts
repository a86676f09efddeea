/**
 * URLs as senders write them. The platform's URL class is not used: it rewrites what it reads
 * (`HTTP://Host:80/a b`), and a document must come back as it was.
 */

interface UrlParts {
  readonly scheme: string | undefined;
  /** Without the brackets of an IPv6 address. */
  readonly host: string | undefined;
  readonly port: bigint | undefined;
  /** With the leading slash; undefined when empty. */
  readonly path: string | undefined;
  /** Without the question mark. */
  readonly query: string | undefined;
}

// jdbc: is a prefix of the scheme, not part of the address.
const absolutePattern =
  /^(?:jdbc:)?([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^:/?#]*)(?::(\d{1,5}))?(\/[^?#]*)?(?:\?([^#]*))?/i;
const pathPattern = /^(\/[^?#]*)(?:\?([^#]*))?/;

/** The parts of an absolute URL, or of a path with a query; undefined for any other text. */
export function splitUrl(url: string): UrlParts | undefined {
  const absolute = absolutePattern.exec(url);
  if (absolute) {
    const [, scheme, host, port, path, query] = absolute;
    return {
      scheme: scheme?.toLowerCase(),
      host: host?.replaceAll(/[[\]]/g, '') || undefined,
      port: port === undefined ? undefined : BigInt(port),
      path,
      query,
    };
  }
  const relative = pathPattern.exec(url);
  if (!relative) return undefined;
  return { scheme: undefined, host: undefined, port: undefined, path: relative[1], query: relative[2] };
}

/** Host as it stands in a URL: IPv6 addresses in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

const userInfoPattern = /^([a-z][a-z0-9+.-]*:(?:[a-z][a-z0-9+.-]*:)?\/\/)[^/?#@]*@/i;
const userPasswordPattern = /^([a-z][a-z0-9+.-]*:(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#@:]*):[^/?#@]*@/i;
const passwordPairPattern = /((?:^|[;?&\s])(?:password|pwd)\s*=)[^;&\s]*/gi;

/** The URL without `user:password@`. */
export function withoutUserInfo(url: string): string {
  return url.includes('@') ? url.replace(userInfoPattern, '$1') : url;
}

/** A database URL or connection string without its password; the user stays. */
export function withoutPassword(connection: string): string {
  return connection.replace(userPasswordPattern, '$1@').replaceAll(passwordPairPattern, '$1');
}
