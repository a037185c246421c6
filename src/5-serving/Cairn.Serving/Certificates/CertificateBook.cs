using System.Collections.Frozen;
using System.Net.Security;
using System.Security.Authentication;

namespace Cairn.Serving.Certificates;

/// <summary>Which certificate answers for which name: a snapshot that handshakes look into, replaced whole when a file changed.</summary>
public sealed class CertificateBook
{
    private readonly Lock _changing = new();
    private readonly SortedDictionary<int, IReadOnlyList<ServedCertificate>> _sources = [];
    private Snapshot _snapshot = new([], FrozenDictionary<string, ServedCertificate>.Empty);

    /// <summary>All, each once.</summary>
    public IReadOnlyList<ServedCertificate> All => Volatile.Read(ref _snapshot).All;

    /// <summary>Puts the certificates of one source in place of those it gave before.</summary>
    /// <param name="rank">Of two that cover a name, the source with the lower rank answers, and within it the one that ends later; the
    /// very first is the default.</param>
    /// <param name="certificates">All of the source.</param>
    public void Replace(int rank, IReadOnlyList<ServedCertificate> certificates)
    {
        lock (_changing)
        {
            _sources[rank] = [.. certificates.OrderByDescending(c => c.Ends)];
            var all = _sources.Values.SelectMany(c => c).ToList();
            var byName = new Dictionary<string, ServedCertificate>(StringComparer.OrdinalIgnoreCase);
            foreach (var certificate in all)
            {
                foreach (var name in certificate.Names)
                    byName.TryAdd(name, certificate);
            }
            Volatile.Write(ref _snapshot, new Snapshot(all, byName.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase)));
        }
    }

    /// <summary>
    /// The certificate for a name as clients send it (SNI): its own, its domain's wildcard, or the default; null where there is none at
    /// all.
    /// </summary>
    public ServedCertificate? Find(string? name)
    {
        var (all, byName) = Volatile.Read(ref _snapshot);
        if (!string.IsNullOrEmpty(name))
        {
            if (byName.TryGetValue(name, out var own))
                return own;
            if (name.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 && byName.TryGetValue("*" + name[dot..], out var wildcard))
                return wildcard;
        }
        return all.Count > 0 ? all[0] : null;
    }

    /// <summary>How to answer a handshake.</summary>
    /// <exception cref="AuthenticationException">There is no certificate yet.</exception>
    public SslServerAuthenticationOptions Answer(string? name) =>
        (Find(name) ?? throw new AuthenticationException($"There is no certificate for '{name}' yet, nor any other to answer with.")).Options;

    private sealed record Snapshot(IReadOnlyList<ServedCertificate> All, FrozenDictionary<string, ServedCertificate> ByName);
}
