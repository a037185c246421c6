using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Node.Durable;
using Cairn.Node.Identity;
using Google.Protobuf;
using Grpc.Core;

namespace Cairn.Node.Link;

/// <summary>What a node keeps of having joined.</summary>
/// <param name="Server"><c>host:port</c>.</param>
/// <param name="Authority">The CA's certificate, DER.</param>
internal sealed record Enrolment(string Server, byte[] Authority, NodeId NodeId, string Name)
{
    public X509Certificate2 AuthorityCertificate() => X509CertificateLoader.LoadCertificate(Authority);

    /// <summary>The stored enrolment; null where the node has not joined.</summary>
    public static Enrolment? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        var stored = JsonSerializer.Deserialize(File.ReadAllBytes(path), EnrolmentJson.Default.Stored)!;
        return new Enrolment(stored.Server, Convert.FromBase64String(stored.Authority), TypedId.Parse<NodeId>(stored.NodeId), stored.Name);
    }

    public void Write(string path) =>
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(
            new Stored(Server, Convert.ToBase64String(Authority), NodeId.ToString(), Name), EnrolmentJson.Default.Stored), durable: true);

    /// <summary>
    /// Trades the token for an enrolment, once: (1) learn the CA and hold it against the token's hash, (2) join over a connection that
    /// trusts only it.
    /// </summary>
    /// <exception cref="RpcException">The server cannot be reached, or refuses the token.</exception>
    /// <exception cref="NodeRefusedException">The server's CA is not the one of the token.</exception>
    public static async Task<Enrolment> JoinAsync(
        JoinToken token, string server, NodeIdentity identity, JoinRequest request, CancellationToken cancellationToken)
    {
        using var authority = await NodeChannel.FindAuthorityAsync(server, token.AuthoritySha256, cancellationToken)
            ?? throw new NodeRefusedException("authority_mismatch",
                $"the server at {server} has another CA than the join token says: either the token is of another server or someone is in between");
        using var channel = NodeChannel.Open(server, authority);
        request.Token = token.Encode();
        request.PublicKey = ByteString.CopyFrom(identity.PublicKey);
        var reply = await new NodeLink.NodeLinkClient(channel).JoinAsync(request, cancellationToken: cancellationToken);
        if (!TypedId.TryParse<NodeId>(reply.NodeId, out var nodeId))
            throw new NodeRefusedException("bad_reply", $"the server answered the join with the node id '{reply.NodeId}', which is not a UUID");
        return new Enrolment(server, authority.RawData, nodeId, reply.Name);
    }

    internal sealed record Stored(string Server, string Authority, string NodeId, string Name);
}

[JsonSerializable(typeof(Enrolment.Stored))]
internal sealed partial class EnrolmentJson : JsonSerializerContext;
