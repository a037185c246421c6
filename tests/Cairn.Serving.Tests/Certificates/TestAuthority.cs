using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cairn.Serving.Tests.Certificates;

/// <summary>A root, and below it an authority that signs what a test asks for.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _between;

    public TestAuthority()
    {
        Root = Authority("CN=Test root", null);
        _between = Authority("CN=Test authority", Root);
    }

    public X509Certificate2 Root { get; }

    public string RootPem => Root.ExportCertificatePem();

    /// <summary>How a client checks a certificate that trusts this root and nothing else.</summary>
    public X509ChainPolicy TrustAlone() => TrustAlone(Root);

    public static X509ChainPolicy TrustAlone(X509Certificate2 root) => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true, CustomTrustStore = { root },
    };

    /// <summary>A chain and its key as PEM.</summary>
    public (string Chain, string Key) Issue(DateTimeOffset ends, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + names[0], key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        using var leaf = request.Create(_between, DateTimeOffset.UtcNow.AddHours(-1), ends, RandomNumberGenerator.GetBytes(8));
        return (leaf.ExportCertificatePem() + "\n" + _between.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public (string Chain, string Key) Issue(params string[] names) => Issue(DateTimeOffset.UtcNow.AddDays(30), names);

    public void Dispose()
    {
        Root.Dispose();
        _between.Dispose();
    }

    private static X509Certificate2 Authority(string name, X509Certificate2? above)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        // An authority ends with the one above it.
        return above is null
            ? request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1))
            : request.Create(above, above.NotBefore, above.NotAfter, RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(key);
    }
}
