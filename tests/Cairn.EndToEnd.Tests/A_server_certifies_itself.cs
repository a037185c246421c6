using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Cairn.EndToEnd.Tests.Harness;
using Cairn.Server.Hosting;
using Cairn.Serving.Certificates;
using Cairn.Serving.Certificates.Acme;
using Cairn.Serving.Tests.Certificates;

namespace Cairn.EndToEnd.Tests;

/// <summary>What docs/tls.md promises, against Let's Encrypt's test authority.</summary>
[Trait("speed", "slow")]
public sealed class A_server_certifies_itself
{
    [Fact]
    public async Task And_each_name_that_an_endpoint_is_given()
    {
        var questions = CairnProgram.FreePort();
        await using var pebble = await Pebble.StartAsync(questions);
        await using var host = await ServerInProcess.StartAsync(change: (folder, options) => new ServerOptions
        {
            DataFolder = options.DataFolder, Http = options.Http, Grpc = options.Grpc, AcmeHttp = new IPEndPoint(IPAddress.Loopback, questions),
            Tls = new CertificateOptions
            {
                Acme = new AcmeOptions
                {
                    Folder = Path.Combine(folder, "acme"), Directory = pebble.Address, Root = pebble.TransportRoot, AgreesToTerms = true, Names = ["cairn.example.com"],
                },
            },
        });
        using var client = Client(host, await pebble.RootAsync());

        await AnswersAsync(client, "https://cairn.example.com/healthz");
        using var served = await client.PostAsJsonAsync("https://cairn.example.com/api/v1/endpoints",
            new { workload = "{name: one, service: {port: 8000, model: tiny, hosts: [chat.example.com]}, run: sleep 1000}" }, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Created, served.StatusCode);
        await AnswersAsync(client, "https://chat.example.com/v1/models");

        var listed = await client.GetFromJsonAsync<JsonElement>("https://cairn.example.com/api/v1/certificates", TestContext.Current.CancellationToken);
        Assert.Equal(["cairn.example.com", "chat.example.com"],
            listed.GetProperty("items").EnumerateArray().Select(one => one.GetProperty("names")[0].GetString()!).Order(StringComparer.Ordinal));
    }

    private static Task AnswersAsync(HttpClient client, string address) => Eventually.TrueAsync(async () =>
    {
        try
        {
            using var answer = await client.GetAsync(address, TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode && answer.Version == HttpVersion.Version20;
        }
        catch (HttpRequestException refused) when (refused.InnerException is AuthenticationException or IOException)
        {
            return false;
        }
    }, $"{address} answers with a certificate of its own");

    private static HttpClient Client(ServerInProcess host, X509Certificate2 root)
    {
        var port = host.Client.BaseAddress!.Port;
        var handler = new SocketsHttpHandler
        {
            SslOptions = { CertificateChainPolicy = TestAuthority.TrustAlone(root) },
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler)
        {
            DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", host.Key) },
        };
    }
}
