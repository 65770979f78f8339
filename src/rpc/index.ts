/** `varve/rpc`: frames, connections, transports; services are in `varve/fs/remote` and its like. */

export { Access, ROLES, checkFileName, checkShard } from './access.ts'
export type { AccessRule, ShownIdentity } from './access.ts'
export { CredentialFiles } from './credential-files.ts'
export type { CredentialPaths } from './credential-files.ts'
export { ClientConnection } from './client-connection.ts'
export { RpcClient } from './client.ts'
export type { RpcClientOptions } from './client.ts'
export type { RpcBasis } from './frame-channel.ts'
export { dialLoopback, loopbackPair } from './loopback.ts'
export { Parameters } from './parameters.ts'
export { PortWire } from './port-wire.ts'
export { RpcServer } from './server.ts'
export type { RpcServerOptions } from './server.ts'
export type {
  Dial,
  Grant,
  Listening,
  Peer,
  Role,
  RpcAnswer,
  RpcCall,
  RpcConnection,
  RpcReply,
  RpcRequest,
  RpcService,
  RpcSession,
  Wire,
  WireReceiver,
  WireSafety,
} from './rpc.ts'
export { RPC_DEFAULTS, resolveRpcSettings } from './settings.ts'
export type { RpcSettings } from './settings.ts'
export { dialSocket, listenSocket } from './socket-transport.ts'
export type { DialOptions, ListenOptions, SocketListening, TlsIdentity } from './socket-transport.ts'
