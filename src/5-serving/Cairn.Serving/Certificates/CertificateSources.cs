using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Certificates;

/// <summary>All files that certificates come from: one's own first, then the folder's, then those that an authority gave.</summary>
internal sealed class CertificateSources
{
    private readonly CertificateFiles _own;
    private readonly CertificateFiles _folder;

    public CertificateSources(CertificateOptions options, CertificateBook book, ILogger<CertificateFiles> logger)
    {
        IReadOnlyList<CertificateFile> own = options.Certificate is { } chain ? [new CertificateFile(chain, options.Key!)] : [];
        _own = new CertificateFiles(0, book, () => own, logger);
        _folder = new CertificateFiles(1, book, () => options.Folder is { } folder ? CertificateFile.In(folder) : [], logger);
        Acme = new CertificateFiles(2, book, () => options.Acme is { } acme ? CertificateFile.In(acme.CertificateFolder) : [], logger);
    }

    public CertificateFiles Acme { get; }

    /// <summary>Before anything listens.</summary>
    /// <exception cref="ArgumentException">One's own certificate cannot be used. Files of folders that cannot are told in the log.</exception>
    public void Begin()
    {
        if (_own.Renew() is [var fault, ..])
            throw new ArgumentException(fault);
        Renew();
    }

    public void Renew()
    {
        _own.Renew();
        _folder.Renew();
        Acme.Renew();
    }
}
