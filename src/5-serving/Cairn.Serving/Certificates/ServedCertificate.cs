using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cairn.Serving.Certificates;

/// <summary>A certificate with its chain and key, ready to answer handshakes.</summary>
public sealed class ServedCertificate
{
    private ServedCertificate(string source, X509Certificate2 leaf, X509Certificate2Collection intermediates)
    {
        (Source, Leaf) = (source, leaf);
        Names = NamesOf(leaf);
        Options = new SslServerAuthenticationOptions
        {
            // Offline: the chain is what the file says, and nothing is fetched to complete it.
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, intermediates, offline: true),
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        };
    }

    /// <summary>The file that it is from.</summary>
    public string Source { get; }

    /// <summary>DNS names, with or without a leading <c>*.</c>, in lower case.</summary>
    public IReadOnlyList<string> Names { get; }

    public DateTimeOffset Begins => Leaf.NotBefore.ToUniversalTime();

    public DateTimeOffset Ends => Leaf.NotAfter.ToUniversalTime();

    internal X509Certificate2 Leaf { get; }

    internal SslServerAuthenticationOptions Options { get; }

    /// <summary>Reads a chain and its private key.</summary>
    /// <param name="source">The file's name, for messages.</param>
    /// <param name="chain">PEM: the certificate first, then its intermediates.</param>
    /// <param name="key">PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted.</param>
    /// <exception cref="CryptographicException">They cannot be read, or do not belong together.</exception>
    public static ServedCertificate Read(string source, string chain, string key)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(chain);
        if (all.Count == 0)
            throw new CryptographicException($"{source} holds no certificate; expected PEM.");
        try
        {
            using var leaf = X509Certificate2.CreateFromPem(chain, key);
            // The TLS stack of Windows does not take a key that is only in memory.
            var usable = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null);
            return new ServedCertificate(source, usable, [.. all.Skip(1)]);
        }
        catch (ArgumentException mismatch)
        {
            throw new CryptographicException($"{source}: {mismatch.Message}", mismatch);
        }
    }

    /// <summary>Whether a handshake for a name, in lower case, can use it; a wildcard stands for one label.</summary>
    public bool Covers(string name) => Names.Contains(name) || (name.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 && Names.Contains("*" + name[dot..]));

    /// <summary>Whether a client that calls a host, by name or by IP address, finds it there.</summary>
    public bool IsFor(string host) => Leaf.MatchesHostname(host);

    private static IReadOnlyList<string> NamesOf(X509Certificate2 leaf)
    {
        var named = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames()).Select(n => n.ToLowerInvariant()).Distinct().ToList();
        return named.Count > 0 ? named : [leaf.GetNameInfo(X509NameType.DnsName, forIssuer: false).ToLowerInvariant()];
    }
}
