using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>
/// Has certificates from an authority: (1) an account, which the same key finds again; (2) an order for a name; (3) proof over HTTP that
/// the name is ours; (4) a request with a new key; (5) the chain. Every failure is an <see cref="AcmeException"/> that says what the
/// authority said.
/// </summary>
internal sealed class AcmeClient(AcmeOptions options, AcmeConnection connection, AcmeKey key, AcmeChallenges challenges, TimeProvider time)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestLook = TimeSpan.FromSeconds(30);

    /// <summary>A certificate for a name.</summary>
    /// <returns>PEM: the key, then the chain.</returns>
    public async Task<string> IssueAsync(string name, CancellationToken cancellationToken)
    {
        // (1)
        connection.Account ??= await RegisterAsync(cancellationToken);

        // (2)
        var identifier = new JsonObject { ["type"] = "dns", ["value"] = name };
        var made = await PostAsync("newOrder", new JsonObject { ["identifiers"] = new JsonArray(identifier) }, cancellationToken);
        var order = made.Location ?? throw new AcmeException("malformed", "The authority gave no address for its order.");

        // (3)
        foreach (var authorization in made.Json["authorizations"]?.AsArray() ?? [])
            await ProveAsync(new Uri((string)authorization!), name, cancellationToken);

        // (4)
        var ready = await UntilAsync(order, "the order", state => state is not "pending", cancellationToken);
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if ((string?)ready["status"] == "ready")
            await connection.PostAsync(AddressIn(ready, "finalize"), new JsonObject { ["csr"] = Base64Url.EncodeToString(Request(name, own)) }, cancellationToken);
        var done = await UntilAsync(order, "the order", state => state is "valid", cancellationToken);

        // (5)
        var chain = (await connection.PostAsync(AddressIn(done, "certificate"), null, cancellationToken)).Text;
        return Checked(name, own.ExportPkcs8PrivateKeyPem(), chain);
    }

    private async Task<Uri> RegisterAsync(CancellationToken cancellationToken)
    {
        var url = await connection.AddressAsync("newAccount", cancellationToken);
        var payload = new JsonObject { ["termsOfServiceAgreed"] = options.AgreesToTerms };
        if (options.Email is { } email)
            payload["contact"] = new JsonArray("mailto:" + email);
        if (options.ExternalKeyId is { } id)
            payload["externalAccountBinding"] = key.Bind(id, options.ExternalKey!, url);
        else if ((await connection.DirectoryAsync(cancellationToken))["meta"]?["externalAccountRequired"]?.GetValue<bool>() == true)
            throw new AcmeException("externalAccountRequired", $"{connection.Directory.Host} wants an account of its own bound: give --acme-eab-key-id and $CAIRN_ACME_EAB_KEY.");
        var answer = await connection.PostAsync(url, payload, cancellationToken);
        return answer.Location ?? throw new AcmeException("malformed", "The authority gave no address for the account.");
    }

    private async Task<AcmeAnswer> PostAsync(string address, JsonNode payload, CancellationToken cancellationToken) =>
        await connection.PostAsync(await connection.AddressAsync(address, cancellationToken), payload, cancellationToken);

    private async Task ProveAsync(Uri authorization, string name, CancellationToken cancellationToken)
    {
        var state = (await connection.PostAsync(authorization, null, cancellationToken)).Json;
        if ((string?)state["status"] == "valid")
            return;
        var challenge = state["challenges"]?.AsArray().OfType<JsonObject>().FirstOrDefault(c => (string?)c["type"] == "http-01")
            ?? throw new AcmeException("unsupported", $"{connection.Directory.Host} offers no proof over HTTP (http-01) for {name}.");
        var token = (string?)challenge["token"] ?? "";
        if (!Base64Url.IsValid(token))
            throw new AcmeException("malformed", "The authority's token is not base64url.");
        using var answering = challenges.Answer(token, $"{token}.{key.Thumbprint}");
        await connection.PostAsync(AddressIn(challenge, "url"), new JsonObject(), cancellationToken);
        await UntilAsync(authorization, $"the proof that {name} is this server's", status => status is "valid", cancellationToken);
    }

    /// <summary>Looks again and again, as seldom as the authority asks, until the status is one of those.</summary>
    private async Task<JsonObject> UntilAsync(Uri address, string what, Func<string?, bool> isWanted, CancellationToken cancellationToken)
    {
        for (var began = time.GetTimestamp(); ;)
        {
            var answer = await connection.PostAsync(address, null, cancellationToken);
            var state = answer.Json;
            var status = (string?)state["status"];
            if (status is "invalid" or "expired" or "revoked" or "deactivated")
                throw Failed(what, status, state);
            if (isWanted(status))
                return state;
            if (time.GetElapsedTime(began) > s_patience)
                throw new AcmeException("timeout", $"{connection.Directory.Host} left {what} {status} for {s_patience.TotalMinutes} minutes.");
            var wait = answer.RetryAfter ?? s_look;
            await Task.Delay(wait < s_look ? s_look : wait > s_longestLook ? s_longestLook : wait, time, cancellationToken);
        }
    }

    private AcmeException Failed(string what, string? status, JsonObject state)
    {
        var problem = state["error"] as JsonObject ?? state["challenges"]?.AsArray().Select(c => c?["error"]).OfType<JsonObject>().FirstOrDefault();
        return problem is null
            ? new AcmeException("invalid", $"{connection.Directory.Host} says that {what} is {status}.")
            : new AcmeException(AcmeConnection.TypeOf(problem), $"{connection.Directory.Host} says that {what} is {status}: {AcmeConnection.DetailOf(problem)}");
    }

    private static Uri AddressIn(JsonObject state, string name) =>
        Uri.TryCreate((string?)state[name], UriKind.Absolute, out var address) ? address : throw new AcmeException("malformed", $"The authority's answer has no '{name}'.");

    private static byte[] Request(string name, ECDsa own)
    {
        var request = new CertificateRequest("", own, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSigningRequest();
    }

    private static string Checked(string name, string ownKey, string chain)
    {
        var text = ownKey + "\n" + chain;
        try
        {
            return ServedCertificate.Read(name, text, text).Covers(name) ? text : throw new AcmeException("malformed", $"The certificate that came is not for {name}.");
        }
        catch (CryptographicException broken)
        {
            throw new AcmeException("malformed", $"The certificate that came for {name} cannot be used: {broken.Message}", null, broken);
        }
    }
}
