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

    public static ApiKey New(DateTimeOffset now) => new(KeyId.New(now), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    public static bool TryParse([NotNullWhen(true)] string? text, out ApiKey key)
    {
        key = default;
        if (text is null || text.Length is < 40 or > 128 || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        var split = text.IndexOf('_', Prefix.Length);
        if (split < 0 || !Guid.TryParseExact(text.AsSpan(Prefix.Length, split - Prefix.Length), "N", out var id))
            return false;
        key = new ApiKey(new KeyId(id), text[(split + 1)..]);
        return true;
    }

    public byte[] SecretHash() => SHA256.HashData(Encoding.UTF8.GetBytes(Secret));

    public override string ToString() => $"{Prefix}{Id.Value:N}_{Secret}";
}
