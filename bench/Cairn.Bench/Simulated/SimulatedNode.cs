using Cairn.Contracts.Ids;
using Cairn.Fleet.Link;
using NSec.Cryptography;

namespace Cairn.Bench.Simulated;

/// <summary>
/// One simulated node: an Ed25519 key of its own, and the name and id that the control plane gave it. The key lies as plain bytes and is opened for one
/// signature: each open key has guarded pages of its own, of which a process may not have a hundred thousand.
/// </summary>
internal sealed class SimulatedNode
{
    private readonly byte[] _privateKey;

    private SimulatedNode(byte[] privateKey, byte[] publicKey) => (_privateKey, PublicKey) = (privateKey, publicKey);

    public byte[] PublicKey { get; }

    public NodeId Id { get; private set; }

    /// <summary>The id as messages carry it.</summary>
    public string WireId { get; private set; } = "";

    public string Name { get; private set; } = "";

    public static SimulatedNode Create()
    {
        using var key = Key.Create(SignatureAlgorithm.Ed25519, new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextArchiving });
        return new SimulatedNode(key.Export(KeyBlobFormat.RawPrivateKey), key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>The control plane has enrolled it.</summary>
    public void Joined(string id, string name) => (Id, WireId, Name) = (TypedId.Parse<NodeId>(id), id, name);

    /// <summary>The signature that answers a challenge.</summary>
    public byte[] SignProof(ReadOnlySpan<byte> nonce)
    {
        using var key = Key.Import(SignatureAlgorithm.Ed25519, _privateKey, KeyBlobFormat.RawPrivateKey);
        return SignatureAlgorithm.Ed25519.Sign(key, NodeProof.Message(nonce, Id.Value));
    }
}
