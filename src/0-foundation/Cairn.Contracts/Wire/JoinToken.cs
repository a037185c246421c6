using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Contracts.Wire;

/// <summary>
/// What a machine needs to join a fleet, as one line of text: <c>cairn1.</c> and the base64url of a small JSON object. The text is a
/// secret; the server keeps only a hash of <see cref="Secret"/>.
/// </summary>
/// <param name="Server">Where the server's gRPC listens: <c>host:port</c>, an IPv6 address in brackets. The server's certificate names
/// this host.</param>
/// <param name="AuthoritySha256">SHA-256 of the DER certificate of the CA that issued the server's certificate: 64 lower-case hex
/// digits.</param>
/// <param name="Id">The token's id in the server's rows.</param>
/// <param name="Secret">What the server compares in constant time.</param>
public sealed record JoinToken(string Server, string AuthoritySha256, string Id, string Secret)
{
    private const string Prefix = "cairn1.";
    private const int LongestText = 4096;

    public string Encode() =>
        Prefix + Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(
            new Body(Server, AuthoritySha256, Id, Secret), JoinTokenJson.Default.Body));

    /// <summary>Reads a token's text; white space around it is ignored. False where any part is missing or malformed.</summary>
    public static bool TryDecode([NotNullWhen(true)] string? text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        text = text?.Trim();
        if (text is null || text.Length > LongestText || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        if (Read(text[Prefix.Length..]) is not { } body || !TrySplitServer(body.Server, out _, out _))
            return false;
        if (body.Authority is not { Length: 64 } hash || !hash.All(char.IsAsciiHexDigitLower))
            return false;
        if (string.IsNullOrEmpty(body.Id) || string.IsNullOrEmpty(body.Secret))
            return false;
        token = new JoinToken(body.Server, body.Authority, body.Id, body.Secret);
        return true;
    }

    /// <summary>Splits <c>host:port</c>; a bracketed IPv6 address keeps its brackets in <paramref name="host"/>.</summary>
    public static bool TrySplitServer([NotNullWhen(true)] string? server, out string host, out int port)
    {
        (host, port) = ("", 0);
        var colon = server?.LastIndexOf(':') ?? -1;
        if (colon <= 0 || !int.TryParse(server.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture, out port)
            || port is < 1 or > 65535)
        {
            return false;
        }
        host = server![..colon];
        return Uri.CheckHostName(host) != UriHostNameType.Unknown || Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.IPv6;
    }

    /// <summary>Leaves the secret out.</summary>
    public override string ToString() => $"{Prefix}… for {Server}, id {Id}";

    private static Body? Read(string encoded)
    {
        try
        {
            return JsonSerializer.Deserialize(Base64Url.DecodeFromChars(encoded), JoinTokenJson.Default.Body);
        }
        catch (Exception e) when (e is FormatException or JsonException or DecoderFallbackException)
        {
            return null;
        }
    }

    internal sealed record Body(
        [property: JsonPropertyName("s")] string Server,
        [property: JsonPropertyName("a")] string Authority,
        [property: JsonPropertyName("i")] string Id,
        [property: JsonPropertyName("k")] string Secret);
}

[JsonSerializable(typeof(JoinToken.Body))]
internal sealed partial class JoinTokenJson : JsonSerializerContext;
