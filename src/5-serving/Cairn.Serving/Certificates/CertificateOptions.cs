using Cairn.Serving.Certificates.Acme;

namespace Cairn.Serving.Certificates;

/// <summary>Where certificates come from; all three may be given.</summary>
public sealed class CertificateOptions
{
    /// <summary>A PEM file with one's own chain; it also answers for names that nothing else covers.</summary>
    public string? Certificate { get; init; }

    /// <summary>The PEM private key that belongs to <see cref="Certificate"/>.</summary>
    public string? Key { get; init; }

    /// <summary>A folder of further pairs, as <see cref="CertificateFile.In"/> finds them.</summary>
    public string? Folder { get; init; }

    /// <summary>Null asks no authority.</summary>
    public AcmeOptions? Acme { get; init; }

    /// <summary>Whether there is anything to answer handshakes with.</summary>
    public bool IsGiven => Certificate is not null || Folder is not null || Acme is not null;

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if ((Certificate is null) != (Key is null))
            errors.Add("--tls-certificate and --tls-key belong together; only one is given.");
        foreach (var (option, path) in new[] { ("--tls-certificate", Certificate), ("--tls-key", Key) })
        {
            if (path is not null && !File.Exists(path))
                errors.Add($"{option}: there is no file {path}.");
        }
        if (Folder is not null && !Directory.Exists(Folder))
            errors.Add($"--tls-folder: there is no folder {Folder}.");
        errors.AddRange(Acme?.Validate() ?? []);
        return errors;
    }
}
