using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Identity;

/// <summary>
/// The text of a key: <c>ck_</c>, the key's id, <c>_</c>, 32 random bytes. The id finds the row; the secret is compared by its SHA-256,
/// which is enough for a secret of 256 random bits.
/// </summary>
public readonly record struct ApiKey(KeyId Id, string Secret)
{
    private const string Prefix = "ck_";
    private const int MostChars = 128;

    public static ApiKey New(DateTimeOffset now) => new(KeyId.New(now), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    public static bool TryParse([NotNullWhen(true)] string? text, out ApiKey key)
    {
        var good = TrySplit(text, out var id, out var secret);
        key = good ? new ApiKey(id, secret.ToString()) : default;
        return good;
    }

    /// <summary>The id of a key and the hash of its secret, for who only compares it; nothing is allocated.</summary>
    /// <param name="hash">32 bytes; written where the text is a key's.</param>
    public static bool TryHash(ReadOnlySpan<char> text, Span<byte> hash, out KeyId id)
    {
        if (!TrySplit(text, out id, out var secret))
            return false;
        Span<byte> utf8 = stackalloc byte[3 * MostChars];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(secret, utf8)], hash);
        return true;
    }

    public byte[] SecretHash() => SHA256.HashData(Encoding.UTF8.GetBytes(Secret));

    public override string ToString() => $"{Prefix}{Id.Value:N}_{Secret}";

    private static bool TrySplit(ReadOnlySpan<char> text, out KeyId id, out ReadOnlySpan<char> secret)
    {
        id = default;
        secret = default;
        if (text.Length is < 40 or > MostChars || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        var split = text[Prefix.Length..].IndexOf('_') + Prefix.Length;
        if (split < Prefix.Length || !Guid.TryParseExact(text[Prefix.Length..split], "N", out var value))
            return false;
        id = new KeyId(value);
        secret = text[(split + 1)..];
        return true;
    }
}
