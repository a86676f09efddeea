import { type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { decodeRpcStatus } from '../../src/codec/rpc-status.ts';

/** One unary call with bytes for messages. `path` is `/package.Service/Method`. */
export function callGrpc(client: Client, path: string, request: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, toBuffer, toBuffer, request, new Metadata(), (error, response) => {
      if (response) resolve(response);
      else reject(error ?? new Error('the call ended without an answer'));
    });
  });
}

export async function grpcFailureOf(client: Client, path: string, request: Uint8Array): Promise<ServiceError> {
  try {
    await callGrpc(client, path, request);
  } catch (error) {
    return error as ServiceError; // The only thing the client rejects with.
  }
  throw new Error('the call succeeded');
}

/** The google.rpc.Status among the trailers. */
export function grpcStatusOf(error: ServiceError): ReturnType<typeof decodeRpcStatus> {
  return decodeRpcStatus(Buffer.from(error.metadata.get('grpc-status-details-bin')[0] ?? ''));
}

/** The same memory, not a copy: some tests send large messages and look at what memory they take. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
