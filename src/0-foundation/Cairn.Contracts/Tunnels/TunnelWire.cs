using System.Buffers.Binary;
using System.Net.Security;
using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Tunnels;

/// <summary>What both ends of a node's tunnel know: one TLS connection that the node opens, with its own word in ALPN.</summary>
public static class TunnelWire
{
    /// <summary>The protocol's name in TLS's application-layer protocol negotiation (RFC 7301).</summary>
    public static readonly SslApplicationProtocol Protocol = new("cairn-tunnel/1");

    /// <summary>Bytes that a stream's receiver keeps for a reader that does not read; the sender waits beyond them.</summary>
    public const int Window = 256 << 10;

    /// <summary>
    /// What the window of a stream grows to whose reader keeps up: over a round trip of 50 ms it carries 40 MB/s (window / round trip).
    /// </summary>
    public const int MostWindow = 2 << 20;

    /// <summary>By how many bytes the windows of one tunnel grow together, at most.</summary>
    public const int GrowthBytes = 64 << 20;

    /// <summary>The most payload of one frame: small enough that streams take turns, and with its header two whole records of TLS.</summary>
    public const int MostPayload = (32 << 10) - FrameHeader.Bytes;

    /// <summary>The most bytes of the words with which a stream is refused or aborted.</summary>
    public const int MostReason = 1 << 10;

    /// <summary>Length of a session's secret.</summary>
    public const int SecretBytes = 32;

    /// <summary>Length of what the node says first: who it is, and the secret of its session.</summary>
    public const int PrefaceBytes = 4 + 16 + SecretBytes;

    /// <summary>The server's answer to a preface: the tunnel stands.</summary>
    public const byte Welcome = 1;

    /// <summary>The server's answer to a preface: this is no current session of that node.</summary>
    public const byte Refused = 2;

    private const uint Magic = 0x43544E31; // "CTN1"

    /// <summary>The first bytes of a tunnel.</summary>
    /// <exception cref="ArgumentException">The secret has another length.</exception>
    public static byte[] Preface(NodeId node, ReadOnlySpan<byte> secret)
    {
        if (secret.Length != SecretBytes)
            throw new ArgumentException($"The secret has {secret.Length} bytes; expected {SecretBytes}.", nameof(secret));
        var bytes = new byte[PrefaceBytes];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Magic);
        node.Value.TryWriteBytes(bytes.AsSpan(4), bigEndian: true, out _);
        secret.CopyTo(bytes.AsSpan(20));
        return bytes;
    }

    /// <summary>Reads a preface; false where it is not one.</summary>
    public static bool TryReadPreface(ReadOnlySpan<byte> bytes, out NodeId node, out ReadOnlySpan<byte> secret)
    {
        node = default;
        secret = default;
        if (bytes.Length != PrefaceBytes || BinaryPrimitives.ReadUInt32BigEndian(bytes) != Magic)
            return false;
        node = new NodeId(new Guid(bytes.Slice(4, 16), bigEndian: true));
        secret = bytes[20..];
        return true;
    }
}

/// <summary>What a stream leads to: the port of a task on the node.</summary>
public readonly record struct TunnelTarget(TaskId Task, int Port)
{
    internal const int Bytes = 18;

    internal void Write(Span<byte> bytes)
    {
        Task.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[16..], (ushort)Port);
    }

    internal static TunnelTarget Read(ReadOnlySpan<byte> bytes) =>
        new(new TaskId(new Guid(bytes[..16], bigEndian: true)), BinaryPrimitives.ReadUInt16BigEndian(bytes[16..]));
}
