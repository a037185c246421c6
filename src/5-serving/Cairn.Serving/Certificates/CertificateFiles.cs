using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Certificates;

/// <summary>
/// Reads certificates from files, and again when one changed, without a restart. A file that cannot be read leaves what it gave before in
/// place and is told in the log: a pair that is caught half written is whole at the next look.
/// </summary>
internal sealed partial class CertificateFiles(int rank, CertificateBook book, Func<IReadOnlyList<CertificateFile>> list, ILogger<CertificateFiles> logger)
{
    private readonly Lock _renewing = new();
    private Dictionary<CertificateFile, (string Stamp, ServedCertificate Certificate)> _known = [];
    private readonly Dictionary<CertificateFile, string> _faults = [];

    /// <summary>Looks at all files.</summary>
    /// <returns>What is wrong with them, in words.</returns>
    public IReadOnlyList<string> Renew()
    {
        lock (_renewing)
            return Look();
    }

    private IReadOnlyList<string> Look()
    {
        var (found, changed) = (new Dictionary<CertificateFile, (string, ServedCertificate)>(), false);
        var files = list();
        foreach (var file in files)
        {
            var (before, stamp) = (_known.GetValueOrDefault(file), StampOf(file));
            if (before.Certificate is null || before.Stamp != stamp)
            {
                if (TryRead(file) is { } read)
                    (before, changed) = ((stamp, read), true);
            }
            if (before.Certificate is not null)
                found[file] = before;
        }
        changed |= found.Count != _known.Count;
        _known = found;
        foreach (var gone in _faults.Keys.Except(files).ToList())
            _faults.Remove(gone);
        if (changed)
            book.Replace(rank, [.. files.Where(found.ContainsKey).Select(f => found[f].Item2)]);
        return [.. _faults.Values];
    }

    private ServedCertificate? TryRead(CertificateFile file)
    {
        try
        {
            var read = ServedCertificate.Read(file.Chain, File.ReadAllText(file.Chain, Encoding.ASCII), File.ReadAllText(file.Key, Encoding.ASCII));
            _faults.Remove(file);
            LogRead(logger, file.Chain, string.Join(", ", read.Names), read.Ends);
            return read;
        }
        catch (Exception failed) when (failed is CryptographicException or IOException or UnauthorizedAccessException)
        {
            var fault = $"{file.Chain} cannot be used: {failed.Message}";
            if (_faults.GetValueOrDefault(file) != fault)
                LogUnread(logger, fault);
            _faults[file] = fault;
            return null;
        }
    }

    private static string StampOf(CertificateFile file)
    {
        static string Of(string path) => new FileInfo(path) is { Exists: true } info ? $"{info.LastWriteTimeUtc.Ticks}/{info.Length}" : "-";
        return Of(file.Chain) + " " + Of(file.Key);
    }

    [LoggerMessage(LogLevel.Information, "{File} certifies {Names} until {Ends:u}")]
    private static partial void LogRead(ILogger logger, string file, string names, DateTimeOffset ends);

    [LoggerMessage(LogLevel.Warning, "{Fault}")]
    private static partial void LogUnread(ILogger logger, string fault);
}

/// <summary>A chain and its key, which may be in one file.</summary>
internal readonly record struct CertificateFile(string Chain, string Key)
{
    private const int MostFiles = 10_000;

    /// <summary>
    /// What a folder holds: <c>NAME.pem</c> with both, <c>NAME.crt</c> or <c>NAME.pem</c> beside <c>NAME.key</c>, and folders with
    /// <c>fullchain.pem</c> and <c>privkey.pem</c>, as certbot makes them. In the order of their names.
    /// </summary>
    public static IReadOnlyList<CertificateFile> In(string folder)
    {
        if (!Directory.Exists(folder))
            return [];
        var files = new List<CertificateFile>();
        foreach (var path in Directory.EnumerateFileSystemEntries(folder).Take(MostFiles).Order(StringComparer.Ordinal))
        {
            if (Path.Combine(path, "fullchain.pem") is var chain && File.Exists(chain))
                files.Add(new CertificateFile(chain, Path.Combine(path, "privkey.pem")));
            else if (Path.GetExtension(path) is ".pem" or ".crt")
                files.Add(new CertificateFile(path, Path.ChangeExtension(path, ".key") is var key && File.Exists(key) ? key : path));
        }
        return files;
    }
}
