using System.Security.Cryptography.X509Certificates;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Tests.Link;

public sealed class The_server_has_its_own_authority : IDisposable
{
    private readonly NodeLinkOptions _options = new() { CertificateFolder = Path.Combine(Directory.CreateTempSubdirectory("cairn-ca-")
        .FullName, "link") };
    private readonly DateTimeOffset _now = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_options.CertificateFolder)!, recursive: true);

    [Fact]
    public void It_is_made_once_and_stays()
    {
        var first = LinkCertificates.LoadOrCreate(_options, _now);
        var again = LinkCertificates.LoadOrCreate(_options, _now.AddDays(100));
        Assert.Equal(first.AuthoritySha256, again.AuthoritySha256);
        Assert.Equal(first.Server.Thumbprint, again.Server.Thumbprint);
        Assert.Equal(64, first.AuthoritySha256.Length);
        Assert.True(again.Server.HasPrivateKey);
    }

    [Fact]
    public void Keys_are_readable_by_their_owner_alone()
    {
        LinkCertificates.LoadOrCreate(_options, _now);
        foreach (var key in new[] { "ca.key", "server.key" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(_options.CertificateFolder, key)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(_options.CertificateFolder));
    }

    [Fact]
    public void The_certificate_is_renewed_in_its_last_month_under_the_same_authority()
    {
        var first = LinkCertificates.LoadOrCreate(_options, _now);
        var kept = LinkCertificates.LoadOrCreate(_options, _now.AddDays(330));
        Assert.Equal(first.Server.Thumbprint, kept.Server.Thumbprint);
        var renewed = LinkCertificates.LoadOrCreate(_options, _now.AddDays(340));
        Assert.NotEqual(first.Server.Thumbprint, renewed.Server.Thumbprint);
        Assert.Equal(first.AuthoritySha256, renewed.AuthoritySha256);
        Assert.Equal(_now.AddDays(340).AddYears(1).UtcDateTime, renewed.Server.NotAfter.ToUniversalTime());
    }

    [Fact]
    public void It_names_where_the_server_is_reached_and_is_made_anew_when_that_changes()
    {
        var first = LinkCertificates.LoadOrCreate(_options, _now);
        _options.AdvertisedHost = "cairn.example.org";
        _options.CertificateNames = ["10.1.2.3", "[2001:db8::1]"[1..^1]];
        var second = LinkCertificates.LoadOrCreate(_options, _now);
        Assert.NotEqual(first.Server.Thumbprint, second.Server.Thumbprint);
        Assert.Equal(first.AuthoritySha256, second.AuthoritySha256);
        var names = second.Server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        foreach (var name in new[] { "localhost", "cairn.example.org" })
            Assert.Contains(name, names.EnumerateDnsNames());
        foreach (var address in new[] { "127.0.0.1", "::1", "10.1.2.3", "2001:db8::1" })
            Assert.Contains(address, names.EnumerateIPAddresses().Select(a => a.ToString()));
        Assert.Equal(second.Server.Thumbprint, LinkCertificates.LoadOrCreate(_options, _now).Server.Thumbprint);
    }

    [Fact]
    public void A_lost_half_of_the_server_s_pair_is_made_anew()
    {
        var first = LinkCertificates.LoadOrCreate(_options, _now);
        File.Delete(Path.Combine(_options.CertificateFolder, "server.key"));
        var second = LinkCertificates.LoadOrCreate(_options, _now);
        Assert.Equal(first.AuthoritySha256, second.AuthoritySha256);
        Assert.NotEqual(first.Server.Thumbprint, second.Server.Thumbprint);
    }

    [Fact]
    public void Wrong_options_are_named_all_at_once()
    {
        var errors = new NodeLinkOptions { AdvertisedHost = "no where", MaxMessageBytes = 1, OutboundQueue = 0 }.Validate();
        foreach (var name in new[] { "AdvertisedHost", "CertificateFolder", "MaxMessageBytes", "OutboundQueue" })
            Assert.Contains(errors, error => error.StartsWith(name, StringComparison.Ordinal));
    }
}
