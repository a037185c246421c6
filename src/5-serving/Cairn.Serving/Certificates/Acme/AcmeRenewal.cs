using System.Collections.Concurrent;
using Cairn.Contracts.Workloads;
using Cairn.Serving.Endpoints;
using Cairn.State;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>How a name stands.</summary>
/// <param name="Problem">Why the last try failed; null where it did not.</param>
internal sealed record AcmeStanding(int Failures, DateTimeOffset Next, string? Problem);

/// <summary>
/// Sees to it that every name has a certificate: the server's own and endpoints', less those that a certificate of one's own covers. One
/// at a time; a name that fails is tried again later and keeps the others from nothing. What is there goes on answering until the next
/// has come.
/// </summary>
internal sealed partial class AcmeRenewal(AcmeOptions options, AcmeClient client, CertificateFiles files, CertificateBook book, Store store, TimeProvider time, ILogger<AcmeRenewal> logger)
{
    /// <summary>Raised when an endpoint's names changed.</summary>
    public const string Signal = "endpoint-hosts";

    private readonly ConcurrentDictionary<string, AcmeStanding> _standings = new(StringComparer.Ordinal);
    private DateTimeOffset _restsUntil = DateTimeOffset.MinValue;

    public AcmeStanding? StandingOf(string name) => _standings.GetValueOrDefault(name);

    /// <summary>Names that shall have a certificate.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken)
    {
        var hosts = await store.ReadAsync(HostRows.All, cancellationToken);
        return [.. options.Names.Select(name => HostName.TryParse(name, out var host) ? host : name).Concat(hosts.Select(h => h.Host)).Distinct(StringComparer.Ordinal)];
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() < _restsUntil)
            return;
        var names = await NamesAsync(cancellationToken);
        foreach (var gone in _standings.Keys.Except(names))
            _standings.TryRemove(gone, out _);
        foreach (var name in names.Where(IsDue))
        {
            try
            {
                PrivateFile.Write(PathOf(name), await client.IssueAsync(name, cancellationToken));
                _standings.TryRemove(name, out _);
                LogIssued(logger, name, options.Directory.Host);
                files.Renew();
            }
            catch (AcmeException refused)
            {
                var failures = (StandingOf(name)?.Failures ?? 0) + 1;
                var standing = new AcmeStanding(failures, AcmeSchedule.Again(time.GetUtcNow(), failures, refused.RetryAfter), refused.Message);
                _standings[name] = standing;
                LogFailed(logger, name, refused.Message, standing.Next);
                if (refused.Type is not ("rateLimited" or "unreachable" or "externalAccountRequired" or "userActionRequired"))
                    continue;
                // It is between this server and the authority, whatever the name.
                _restsUntil = standing.Next;
                return;
            }
        }
    }

    private bool IsDue(string name)
    {
        var now = time.GetUtcNow();
        if (StandingOf(name) is { } standing && standing.Next > now)
            return false;
        if (book.Find(name) is not { } certificate || !certificate.Covers(name))
            return true;
        return certificate.Source == PathOf(name) && AcmeSchedule.Renewal(name, certificate.Begins, certificate.Ends) <= now;
    }

    private string PathOf(string name) => Path.Combine(options.CertificateFolder, name + ".pem");

    [LoggerMessage(LogLevel.Information, "{Authority} certified {Name}")]
    private static partial void LogIssued(ILogger logger, string name, string authority);

    [LoggerMessage(LogLevel.Warning, "No certificate for {Name} came: {Problem} It is asked for again at {Next:u}")]
    private static partial void LogFailed(ILogger logger, string name, string problem, DateTimeOffset next);
}
