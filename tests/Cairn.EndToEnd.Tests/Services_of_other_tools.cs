using System.Net;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>Service files as people have them for SkyPilot and dstack, served by <c>cairn serve FILE</c> with nothing added.</summary>
[Trait("speed", "slow")]
public sealed class Services_of_other_tools
{
    /// <summary>A server that says it is ready only to a POST, as engines are probed with a completion.</summary>
    private const string Server = """
        import http.server, json, sys
        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200 if self.path == "/hello" else 404, {"path": self.path})
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(200 if self.path == "/v1/chat/completions" and asked["max_tokens"] == 1 and self.headers["X-Probe"] == "yes" else 400, asked)
            def answer(self, status, body):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
        http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
        """;

    [Fact]
    public async Task A_service_of_SkyPilot_with_a_probe_that_posts()
    {
        await using var up = await CairnUp.StartAsync();
        var port = CairnProgram.FreePort();
        up.WriteFile("app/server.py", Server);
        var file = up.WriteFile("chat.yaml", $$"""
            service:
              readiness_probe:
                path: /v1/chat/completions
                post_data:
                  model: $MODEL_NAME
                  messages:
                    - role: user
                      content: Hello! What is your name?
                  max_tokens: 1
                headers: {X-Probe: "yes"}
                initial_delay_seconds: 1800
                timeout_seconds: 20
              replica_policy:
                min_replicas: 1
                max_replicas: 3
                target_qps_per_replica: 5
                upscale_delay_seconds: 300
                downscale_delay_seconds: 1200
            resources:
              ports: {{port}}
              cpus: 1+
              any_of:
                - use_spot: true
                - use_spot: false
            workdir: app
            envs:
              MODEL_NAME: meta-llama/Meta-Llama-3-8B-Instruct
            setup: |
              python3 --version
            run: |
              echo "Serving $MODEL_NAME"
              python3 server.py {{port}}
            """);
        var served = (await up.Cli.RunAsync("serve", file)).Succeeded();
        Assert.Contains("upscale_delay_seconds", served.Error, StringComparison.Ordinal);
        var endpoint = await up.GetAsync("endpoints/chat");
        Assert.Equal(("ready", 1, 3), (endpoint.GetProperty("phase").GetString(), endpoint.GetProperty("min").GetInt32(), endpoint.GetProperty("max").GetInt32()));
        Assert.Equal((HttpStatusCode.OK, "/hello"), await PathAsync(up, "/endpoints/chat/hello"));
    }

    [Fact]
    public async Task A_service_of_dstack()
    {
        await using var up = await CairnUp.StartAsync();
        var port = CairnProgram.FreePort();
        var file = up.WriteFile("site.dstack.yml", $$"""
            type: service
            name: site
            image: python:3.12
            env:
              - GREETING=hello
            commands:
              - mkdir -p site && echo "{\"path\":\"$GREETING\"}" > site/index.html
              - python3 -m http.server {{port}} --bind 127.0.0.1 --directory site
            port: {{port}}
            replicas: 0..4
            scaling:
              metric: rps
              target: 10
              scale_up_delay: 5m
              scale_down_delay: 10m
            probes:
              - type: http
                url: /index.html
                timeout: 10s
                interval: 15s
            gateway: true
            auth: true
            https: auto
            rate_limits:
              - prefix: /
                rps: 10
                burst: 20
            resources:
              cpu: 1..
              memory: 0.1GB..
            spot_policy: auto
            max_price: 1.5
            """);
        var served = (await up.Cli.RunAsync("serve", file)).Succeeded();
        Assert.Contains("image", served.Error, StringComparison.Ordinal);
        var endpoint = await up.GetAsync("endpoints/site");
        Assert.Equal(("ready", 0, 4), (endpoint.GetProperty("phase").GetString(), endpoint.GetProperty("min").GetInt32(), endpoint.GetProperty("max").GetInt32()));
        // Nobody named a model, and its server has none: it is a site and no model.
        Assert.False(endpoint.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.String, endpoint.ToString());
        Assert.Equal("/endpoints/site/", endpoint.GetProperty("path").GetString());
        Assert.Equal((HttpStatusCode.OK, "hello"), await PathAsync(up, "/endpoints/site/"));
    }

    [Fact]
    public async Task A_replica_that_is_not_ready_in_time_has_failed()
    {
        await using var up = await CairnUp.StartAsync();
        var file = up.WriteFile("slow.yaml", $$"""
            name: slow
            service:
              readiness_probe: {path: /, initial_delay_seconds: 1}
              replicas: 1
            resources: {ports: {{CairnProgram.FreePort()}} }
            run: sleep 600
            """);
        (await up.Cli.RunAsync("serve", file, "--detach")).Succeeded();
        await Eventually.TrueAsync(async () => (await up.GetAsync("endpoints/slow")).GetProperty("events").EnumerateArray()
            .Any(e => e.GetProperty("kind").GetString() == "replica_failed" && e.GetProperty("message").GetString()!.Contains("was not ready 1 s after", StringComparison.Ordinal)), "it is given up");
        (await up.Cli.RunAsync("stop", "slow")).Succeeded();
        await Eventually.TrueAsync(async () => (await up.GetAsync("endpoints")).GetProperty("items").GetArrayLength() == 0, "the endpoint has ended");
    }

    private static async Task<(HttpStatusCode, string?)> PathAsync(CairnUp up, string path)
    {
        using var http = up.NewClient();
        http.BaseAddress = new Uri(up.Address);
        using var response = await http.GetAsync(path, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonDocument.Parse(text).RootElement.GetProperty("path").GetString());
    }
}
