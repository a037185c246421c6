using Cairn.Contracts.Workloads;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>How certificates are had from an authority that speaks ACME (RFC 8555).</summary>
public sealed class AcmeOptions
{
    /// <summary>Let's Encrypt's directory.</summary>
    public static readonly Uri LetsEncrypt = new("https://acme-v02.api.letsencrypt.org/directory");

    /// <summary>The authority's directory; default Let's Encrypt's.</summary>
    public Uri Directory { get; init; } = LetsEncrypt;

    /// <summary>Where the authority writes when a certificate is about to end; null gives it none.</summary>
    public string? Email { get; init; }

    /// <summary>Whether the person who runs the server agrees to the authority's terms; without it nothing is asked for.</summary>
    public bool AgreesToTerms { get; init; }

    /// <summary>Names an account that exists at the authority outside ACME (external account binding); null where it asks for none.</summary>
    public string? ExternalKeyId { get; init; }

    /// <summary>That account's key, base64url. Never logged.</summary>
    public string? ExternalKey { get; init; }

    /// <summary>
    /// A PEM file with the only root that the directory's own certificate is trusted by, for an authority of one's own; null takes the
    /// machine's roots.
    /// </summary>
    public string? Root { get; init; }

    /// <summary>Where the account's key and the certificates are kept, readable by their owner alone.</summary>
    public required string Folder { get; init; }

    /// <summary>The server's own names; endpoints' names come beside them.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Where <c>NAME.pem</c> is, with key and chain.</summary>
    public string CertificateFolder => Path.Combine(Folder, "certificates");

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (!AgreesToTerms)
            errors.Add($"--acme asks {Directory.Host} for certificates, which has terms of service; say that you agree to them with --acme-agree.");
        if (Directory.Scheme != Uri.UriSchemeHttps)
            errors.Add($"--acme-directory is {Directory}; expected an address that begins with https://.");
        if (Email is not null && (!Email.Contains('@', StringComparison.Ordinal) || Email.Contains(' ', StringComparison.Ordinal)))
            errors.Add($"--acme-email is '{Email}'; expected an address such as ops@example.com.");
        if ((ExternalKeyId is null) != (ExternalKey is null))
            errors.Add("--acme-eab-key-id and $CAIRN_ACME_EAB_KEY belong together; only one is given.");
        if (ExternalKey is not null && !System.Buffers.Text.Base64Url.IsValid(ExternalKey))
            errors.Add("$CAIRN_ACME_EAB_KEY is not base64url.");
        if (Root is not null && !File.Exists(Root))
            errors.Add($"--acme-root: there is no file {Root}.");
        foreach (var name in Names.Where(name => !HostName.TryParse(name, out _)))
            errors.Add($"'{name}' cannot have a certificate by ACME; expected {HostName.Expected}. Give it with --public-name.");
        return errors;
    }
}
