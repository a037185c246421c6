using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cairn.Contracts.Wire;

namespace Cairn.Fleet.Link;

/// <summary>
/// The server's own authority and its certificate. Both are made at the first start and kept in the data folder, keys readable by their
/// owner alone. A node trusts this one authority, whose hash came with its join token, and no other. The CA holds for ten years, the
/// server's certificate for one; a start within its last 30 days, or with other names, makes a new one under the same CA.
/// </summary>
public sealed class LinkCertificates
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly TimeSpan s_renewBefore = TimeSpan.FromDays(30);

    private LinkCertificates(X509Certificate2 authority, X509Certificate2 server)
    {
        Server = server;
        AuthorityDer = authority.RawData;
        AuthoritySha256 = Convert.ToHexStringLower(SHA256.HashData(authority.RawData));
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>The CA's certificate.</summary>
    public ReadOnlyMemory<byte> AuthorityDer { get; }

    /// <summary>What join tokens carry: 64 lower-case hex digits.</summary>
    public string AuthoritySha256 { get; }

    /// <summary>Reads both certificates, making what is missing, about to expire, or made for other names.</summary>
    /// <exception cref="CryptographicException">A file is there and cannot be read as what it should be.</exception>
    public static LinkCertificates LoadOrCreate(NodeLinkOptions options, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(options);
        var folder = options.CertificateFolder;
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var authority = Load(folder, "ca") ?? CreateAuthority(folder, now);
        var names = Names(options);
        if (Load(folder, "server") is { } kept)
        {
            if (kept.NotAfter.ToUniversalTime() - now.UtcDateTime > s_renewBefore && Covers(kept, names) && IsIssuedBy(kept, authority))
                return new LinkCertificates(authority, kept);
            kept.Dispose();
        }
        return new LinkCertificates(authority, CreateServer(folder, authority, names, now));
    }

    private static SortedSet<string> Names(NodeLinkOptions options)
    {
        var names = new SortedSet<string>(StringComparer.OrdinalIgnoreCase)
        {
            "localhost", "127.0.0.1", "::1", Dns.GetHostName(), options.AdvertisedHost,
        };
        names.UnionWith(options.CertificateNames);
        return names;
    }

    private static X509Certificate2 CreateAuthority(string folder, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Cairn local authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        Save(folder, "ca", certificate, key);
        return certificate;
    }

    private static X509Certificate2 CreateServer(string folder, X509Certificate2 authority, IEnumerable<string> names, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Cairn server", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var end = now.AddYears(1) < authority.NotAfter ? now.AddYears(1) : authority.NotAfter;
        using var bare = request.Create(authority, now.AddDays(-1), end, RandomNumberGenerator.GetBytes(16));
        using var certificate = bare.CopyWithPrivateKey(key);
        Save(folder, "server", certificate, key);
        return Load(folder, "server")!;
    }

    private static X509Certificate2? Load(string folder, string name)
    {
        var (certificate, key) = Paths(folder, name);
        if (!File.Exists(certificate) || !File.Exists(key))
            return null;
        using var loaded = X509Certificate2.CreateFromPemFile(certificate, key);
        // The TLS stack of Windows does not take a key that is only in memory.
        return X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>
    /// The key first and private from its first byte: a certificate without its key is made anew, never the other way round.
    /// </summary>
    private static void Save(string folder, string name, X509Certificate2 certificate, ECDsa key)
    {
        var paths = Paths(folder, name);
        Write(paths.Key, key.ExportPkcs8PrivateKeyPem(), isSecret: true);
        Write(paths.Certificate, certificate.ExportCertificatePem(), isSecret: false);
    }

    private static void Write(string path, string text, bool isSecret)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var draft = path + ".new";
        File.Delete(draft);
        using (var writer = new StreamWriter(draft, options))
            writer.Write(text + "\n");
        File.Move(draft, path, overwrite: true);
    }

    private static bool Covers(X509Certificate2 certificate, SortedSet<string> names)
    {
        var held = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString())));
        return names.SetEquals(held);
    }

    private static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate);
    }

    private static (string Certificate, string Key) Paths(string folder, string name) =>
        (Path.Combine(folder, name + ".crt"), Path.Combine(folder, name + ".key"));
}
