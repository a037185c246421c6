using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>
/// An account's key, and what is signed by it: JSON Web Signatures (RFC 7515) with ES256, flattened as ACME wants them (RFC 8555, 6.2).
/// </summary>
internal sealed class AcmeKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly JsonObject _jwk;

    private AcmeKey(ECDsa key)
    {
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        // The members in this order, which a thumbprint is over (RFC 7638).
        _jwk = new JsonObject { ["crv"] = "P-256", ["kty"] = "EC", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) };
        Thumbprint = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(_jwk.ToJsonString())));
    }

    public string Thumbprint { get; }

    /// <summary>Reads the key of a file, or makes one there that its owner alone can read.</summary>
    public static AcmeKey LoadOrCreate(string path)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(path))
            key.ImportFromPem(File.ReadAllText(path));
        else
            PrivateFile.Write(path, key.ExportPkcs8PrivateKeyPem() + "\n");
        return new AcmeKey(key);
    }

    /// <param name="account">The account's address; null signs with the key itself, before there is one.</param>
    /// <param name="payload">Null for a POST that only reads.</param>
    public string Sign(Uri url, string nonce, Uri? account, JsonNode? payload)
    {
        var head = new JsonObject { ["alg"] = "ES256", ["nonce"] = nonce, ["url"] = url.AbsoluteUri };
        if (account is null)
            head["jwk"] = _jwk.DeepClone();
        else
            head["kid"] = account.AbsoluteUri;
        return Flat(head, payload is null ? [] : JsonSerializer.SerializeToUtf8Bytes(payload), input => _key.SignData(input, HashAlgorithmName.SHA256)).ToJsonString();
    }

    /// <summary>Says that the holder of an outside account's key wants this key bound to that account (RFC 8555, 7.3.4).</summary>
    public JsonNode Bind(string keyId, string macKey, Uri url) => Flat(new JsonObject { ["alg"] = "HS256", ["kid"] = keyId, ["url"] = url.AbsoluteUri },
        JsonSerializer.SerializeToUtf8Bytes(_jwk), input => HMACSHA256.HashData(Base64Url.DecodeFromChars(macKey), input));

    public void Dispose() => _key.Dispose();

    private static JsonObject Flat(JsonObject head, byte[] payload, Func<byte[], byte[]> sign)
    {
        var (first, second) = (Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(head)), Base64Url.EncodeToString(payload));
        var signature = sign(Encoding.ASCII.GetBytes($"{first}.{second}"));
        return new JsonObject { ["protected"] = first, ["payload"] = second, ["signature"] = Base64Url.EncodeToString(signature) };
    }
}
