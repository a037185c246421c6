using System.Text;
using Cairn.Contracts.Ids;
using Cairn.Node.Durable;
using NSec.Cryptography;

namespace Cairn.Node.Identity;

/// <summary>The Ed25519 key by which a node proves who it is. The private half never leaves the node's data folder.</summary>
public sealed class NodeIdentity : IDisposable
{
    private static readonly byte[] s_proofContext = Encoding.ASCII.GetBytes("cairn-node-v1");

    private readonly Key _key;

    private NodeIdentity(Key key) => _key = key;

    /// <summary>32 bytes.</summary>
    public byte[] PublicKey => _key.PublicKey.Export(KeyBlobFormat.RawPublicKey);

    /// <summary>A new key that is nowhere stored.</summary>
    public static NodeIdentity Create() =>
        new(Key.Create(SignatureAlgorithm.Ed25519, new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextArchiving }));

    /// <summary>Reads the key of a file, or makes one and stores it with mode 0600.</summary>
    public static NodeIdentity LoadOrCreate(string path)
    {
        if (File.Exists(path))
            return new NodeIdentity(Key.Import(SignatureAlgorithm.Ed25519, File.ReadAllBytes(path), KeyBlobFormat.RawPrivateKey,
                new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextArchiving }));
        var created = Create();
        AtomicFile.Write(path, created._key.Export(KeyBlobFormat.RawPrivateKey), durable: true);
        return created;
    }

    /// <summary>
    /// The signature that answers a challenge: over <c>cairn-node-v1</c> ‖ nonce ‖ the node id's 16 bytes in RFC 4122 order.
    /// </summary>
    public byte[] SignProof(ReadOnlySpan<byte> nonce, NodeId nodeId) =>
        SignatureAlgorithm.Ed25519.Sign(_key, ProofBytes(nonce, nodeId));

    /// <summary>Checks an answer as the server does.</summary>
    public static bool VerifyProof(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> nonce, NodeId nodeId, ReadOnlySpan<byte> signature) =>
        NSec.Cryptography.PublicKey.TryImport(SignatureAlgorithm.Ed25519, publicKey, KeyBlobFormat.RawPublicKey, out var key)
        && SignatureAlgorithm.Ed25519.Verify(key!, ProofBytes(nonce, nodeId), signature);

    public void Dispose() => _key.Dispose();

    private static byte[] ProofBytes(ReadOnlySpan<byte> nonce, NodeId nodeId) =>
        [.. s_proofContext, .. nonce, .. nodeId.Value.ToByteArray(bigEndian: true)];
}
