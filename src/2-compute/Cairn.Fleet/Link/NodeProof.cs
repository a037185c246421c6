using System.Text;
using NSec.Cryptography;

namespace Cairn.Fleet.Link;

/// <summary>What a node signs to prove its key: <c>"cairn-node-v1" ‖ nonce ‖ node id</c> with Ed25519 (RFC 8032). Pure.</summary>
internal static class NodeProof
{
    public const int NonceBytes = 32;

    private static readonly byte[] s_purpose = Encoding.ASCII.GetBytes("cairn-node-v1");

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> nonce, Guid node, ReadOnlySpan<byte> signature) =>
        PublicKey.TryImport(SignatureAlgorithm.Ed25519, publicKey, KeyBlobFormat.RawPublicKey, out var key)
        && SignatureAlgorithm.Ed25519.Verify(key!, Message(nonce, node), signature);

    public static byte[] Message(ReadOnlySpan<byte> nonce, Guid node)
    {
        var message = new byte[s_purpose.Length + nonce.Length + 16];
        s_purpose.CopyTo(message, 0);
        nonce.CopyTo(message.AsSpan(s_purpose.Length));
        // RFC 4122 order: most significant byte first.
        node.TryWriteBytes(message.AsSpan(s_purpose.Length + nonce.Length), bigEndian: true, out _);
        return message;
    }
}
