using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Serving.Certificates;
using Cairn.Serving.Certificates.Acme;

namespace Cairn.Cli.Up;

/// <summary>Where a control plane's certificates come from.</summary>
internal sealed class CertificateFlags
{
    public Option<string?> AcmeHttp { get; } = new("--acme-http") { Description = "Where the authority asks, in the clear; default port 80 of --http's address.", HelpName = "ADDRESS:PORT" };

    private readonly Option<string?> _certificate = new("--tls-certificate")
    {
        Description = "PEM certificate chain; some certificate is needed beyond loopback.", HelpName = "FILE",
    };

    private readonly Option<string?> _key = new("--tls-key") { Description = "PEM private key of the certificate.", HelpName = "FILE" };
    private readonly Option<string?> _folder = new("--tls-folder")
    {
        Description = "A folder of further certificates, chosen by the name that a client asks for.", HelpName = "FOLDER",
    };

    private readonly Option<bool> _acme = new("--acme")
    {
        Description = "Have certificates for --public-name and endpoints' host names from an authority, and renew them.",
    };

    private readonly Option<bool> _agree = new("--acme-agree") { Description = "You agree to the authority's terms of service." };
    private readonly Option<string?> _email = new("--acme-email")
    {
        Description = "Where the authority writes before a certificate ends.", HelpName = "ADDRESS",
    };

    private readonly Option<string?> _directory = new("--acme-directory")
    {
        Description = "The authority's directory; default Let's Encrypt's.", HelpName = "URL",
    };

    private readonly Option<string?> _keyId = new("--acme-eab-key-id")
    {
        Description = "Binds an account that exists at the authority; $CAIRN_ACME_EAB_KEY is its key.", HelpName = "ID",
    };

    private readonly Option<string?> _root = new("--acme-root")
    {
        Description = "PEM root that the directory's own certificate is trusted by.", HelpName = "FILE",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _certificate, _key, _folder, _acme, _agree, _email, _directory, AcmeHttp, _keyId, _root })
            command.Options.Add(option);
    }

    /// <exception cref="CliException">The directory is no address.</exception>
    public CertificateOptions Read(CommandContext context, string dataFolder, string? publicName) => new()
    {
        Certificate = context.Get(_certificate), Key = context.Get(_key), Folder = context.Get(_folder), Acme = context.Get(_acme) ? Acme(context, dataFolder, publicName) : null,
    };

    private AcmeOptions Acme(CommandContext context, string dataFolder, string? publicName) => new()
    {
        Folder = Path.Combine(dataFolder, "acme"), Names = publicName is null ? [] : [publicName], AgreesToTerms = context.Get(_agree), Email = context.Get(_email),
        Directory = context.Get(_directory) is not { } url ? AcmeOptions.LetsEncrypt : Uri.TryCreate(url, UriKind.Absolute, out var directory) ? directory
            : throw new CliException(ExitCodes.Usage, $"--acme-directory {url}: expected an address such as https://ca.example.com/acme/directory."),
        ExternalKeyId = context.Get(_keyId), ExternalKey = Environment.GetEnvironmentVariable("CAIRN_ACME_EAB_KEY"), Root = context.Get(_root),
    };
}
