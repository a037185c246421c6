using System.Net;
using System.Security.Authentication;
using Cairn.Serving.Certificates;

namespace Cairn.Serving.Tests.Certificates;

public sealed class A_handshake_is_answered : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-tls-").FullName;
    private readonly TestAuthority _authority = new();

    [Fact]
    public async Task With_the_certificate_of_the_name_and_its_whole_chain()
    {
        var own = Pair("own", "cairn.example.com");
        Combined("chat.pem", "chat.example.com");
        Pair("wild", "*.apps.example.com");
        Directory.CreateDirectory(In("live"));
        Write("live/fullchain.pem", _authority.Issue("certbot.example.com"), "live/privkey.pem");
        await using var host = await TlsHost.StartAsync(new CertificateOptions { Certificate = own.Chain, Key = own.Key, Folder = _folder });

        foreach (var name in new[] { "cairn.example.com", "chat.example.com", "certbot.example.com" })
            Assert.Equal("CN=" + name, await SubjectAsync(host, name));
        Assert.Equal("CN=*.apps.example.com", await SubjectAsync(host, "one.apps.example.com"));
        // Nothing else covers it, so the default answers and the client refuses it.
        await Assert.ThrowsAsync<AuthenticationException>(() => SubjectAsync(host, "unknown.example.com"));
        await Assert.ThrowsAsync<AuthenticationException>(() => SubjectAsync(host, "a.b.apps.example.com"));
    }

    [Theory]
    [InlineData("1.1", "HTTP/1.1")]
    [InlineData("2.0", "HTTP/2")]
    public async Task With_the_protocol_that_the_client_speaks(string version, string protocol)
    {
        var own = Pair("own", "127.0.0.1");
        await using var host = await TlsHost.StartAsync(new CertificateOptions { Certificate = own.Chain, Key = own.Key });
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = _authority.TrustAlone() } })
        {
            BaseAddress = new Uri($"https://127.0.0.1:{host.Port}"), DefaultRequestVersion = Version.Parse(version), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        Assert.Equal(protocol, await client.GetStringAsync("/", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task As_HTTP_1_where_the_client_names_no_protocol()
    {
        var own = Pair("own", "127.0.0.1");
        await using var host = await TlsHost.StartAsync(new CertificateOptions { Certificate = own.Chain, Key = own.Key });
        Assert.Contains("HTTP/1.1 200 OK", await host.AskAsync("127.0.0.1", _authority.Root, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_new_one_once_the_file_changed_and_with_the_old_while_it_is_broken()
    {
        var own = Pair("own", "cairn.example.com");
        await using var host = await TlsHost.StartAsync(new CertificateOptions { Certificate = own.Chain, Key = own.Key });
        var first = (await host.SeenAsync("cairn.example.com", _authority.Root)).SerialNumber;

        var next = _authority.Issue("cairn.example.com");
        await File.WriteAllTextAsync(own.Chain, next.Chain, TestContext.Current.CancellationToken);
        host.Sources.Renew(); // the chain is new, the key still the old one
        Assert.Equal(first, (await host.SeenAsync("cairn.example.com", _authority.Root)).SerialNumber);
        File.Delete(own.Chain);
        host.Sources.Renew();
        Assert.Equal(first, (await host.SeenAsync("cairn.example.com", _authority.Root)).SerialNumber);

        await File.WriteAllTextAsync(own.Chain, next.Chain, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(own.Key, next.Key, TestContext.Current.CancellationToken);
        host.Sources.Renew();
        Assert.NotEqual(first, (await host.SeenAsync("cairn.example.com", _authority.Root)).SerialNumber);
    }

    [Fact]
    public async Task A_folder_gains_and_loses_names_without_a_restart()
    {
        await using var host = await TlsHost.StartAsync(new CertificateOptions { Folder = _folder });
        await Assert.ThrowsAnyAsync<Exception>(() => SubjectAsync(host, "chat.example.com"));
        Combined("chat.pem", "chat.example.com");
        Combined("web.pem", "web.example.com");
        host.Sources.Renew();
        Assert.Equal("CN=chat.example.com", await SubjectAsync(host, "chat.example.com"));
        File.Delete(In("chat.pem"));
        host.Sources.Renew();
        Assert.Equal(["web.example.com"], host.Book.All.SelectMany(c => c.Names));
    }

    [Fact]
    public void A_pair_that_does_not_belong_together_is_told_at_the_start()
    {
        var (one, other) = (Pair("one", "a.example.com"), Pair("other", "b.example.com"));
        var sources = new CertificateSources(new CertificateOptions { Certificate = one.Chain, Key = other.Key }, new CertificateBook(), Microsoft.Extensions.Logging.Abstractions.NullLogger<CertificateFiles>.Instance);
        Assert.Contains(one.Chain, Assert.Throws<ArgumentException>(sources.Begin).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_for_one_name_the_first_source_answers_and_within_it_the_one_that_ends_later()
    {
        var book = new CertificateBook();
        var soon = Read("soon", DateTimeOffset.UtcNow.AddDays(10));
        var late = Read("late", DateTimeOffset.UtcNow.AddDays(20));
        var other = Read("other", DateTimeOffset.UtcNow.AddDays(90));
        book.Replace(1, [other]);
        book.Replace(0, [soon, late]);
        Assert.Same(late, book.Find("Chat.Example.com"));
        book.Replace(0, []);
        Assert.Same(other, book.Find("chat.example.com"));
        ServedCertificate Read(string source, DateTimeOffset ends) => _authority.Issue(ends, "chat.example.com") is var (chain, key) ? ServedCertificate.Read(source, chain, key) : null!;
    }

    [Fact]
    public async Task What_reads_on_the_plain_port_is_sent_to_HTTPS_and_nothing_else_is_served_there()
    {
        await using var host = await TlsHost.StartAsync(new CertificateOptions { Folder = _folder });
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{host.PlainPort}") };
        client.DefaultRequestHeaders.Host = "chat.example.com:80";
        using var read = await client.GetAsync("/v1/models?a=b%20c", TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.PermanentRedirect, "https://chat.example.com/v1/models?a=b%20c"), (read.StatusCode, read.Headers.Location!.AbsoluteUri));
        using var sent = await client.PostAsync("/v1/models", null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, sent.StatusCode);
        using (host.Challenges.Answer("token", "token.thumb"))
            Assert.Equal("token.thumb", await client.GetStringAsync("/.well-known/acme-challenge/token", TestContext.Current.CancellationToken));
        using var gone = await client.GetAsync("/.well-known/acme-challenge/token", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.PermanentRedirect, gone.StatusCode);
    }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> SubjectAsync(TlsHost host, string name) => (await host.SeenAsync(name, _authority.Root)).Subject;

    private string In(string name) => Path.Combine(_folder, name);

    private (string Chain, string Key) Pair(string file, params string[] names)
    {
        Write(file + ".crt", _authority.Issue(names), file + ".key");
        return (In(file + ".crt"), In(file + ".key"));
    }

    private void Combined(string file, string name)
    {
        var (chain, key) = _authority.Issue(name);
        File.WriteAllText(In(file), key + chain);
    }

    private void Write(string chainFile, (string Chain, string Key) pair, string keyFile)
    {
        File.WriteAllText(In(chainFile), pair.Chain);
        File.WriteAllText(In(keyFile), pair.Key);
    }
}
