using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cairn.Bench.Gateway;

/// <summary>nginx as a plain reverse proxy with two workers and connections to the upstream that are kept, in a temporary folder.</summary>
internal static class NginxProcess
{
    public const string Missing = "nginx is not installed; `apt-get install nginx-light` brings it, and CAIRN_NGINX names another program";

    private static readonly string[] s_places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx", "/opt/homebrew/bin/nginx"];

    /// <returns>Null where there is none.</returns>
    public static Answering? Start(Uri upstream)
    {
        var program = Environment.GetEnvironmentVariable("CAIRN_NGINX") ?? s_places.FirstOrDefault(File.Exists);
        if (program is null)
            return null;
        var folder = Directory.CreateTempSubdirectory("cairn-bench-nginx-").FullName;
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}"));
        File.WriteAllText(Path.Combine(folder, "nginx.conf"), Configuration(folder, address, upstream));
        var process = Process.Start(program, [.. Arguments(folder), "-g", "daemon off;"]);
        for (var began = Stopwatch.GetTimestamp(); !Answers(address);)
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(10))
                throw new InvalidOperationException($"nginx does not answer at {address}: {File.ReadAllText(Path.Combine(folder, "error.log"))}");
            Thread.Sleep(20);
        }
        return new Answering(process, address, () => Stop(program, folder, process));
    }

    /// <summary>Asked to stop, it ends its workers; killed, it leaves them behind.</summary>
    private static void Stop(string program, string folder, Process process)
    {
        using (var stop = Process.Start(program, [.. Arguments(folder), "-s", "stop"]))
            stop.WaitForExit();
        process.WaitForExit(TimeSpan.FromSeconds(5));
        Directory.Delete(folder, recursive: true);
    }

    private static string[] Arguments(string folder) => ["-p", folder, "-e", Path.Combine(folder, "error.log"), "-c", Path.Combine(folder, "nginx.conf")];

    private static string Configuration(string folder, Uri address, Uri upstream) =>
        $$"""
        worker_processes 2;
        pid {{folder}}/nginx.pid;
        error_log {{folder}}/error.log;
        events { worker_connections 4096; }
        http {
          access_log off;
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
          keepalive_requests 1000000000;
          upstream engine { server {{upstream.Authority}}; keepalive 128; keepalive_requests 1000000000; }
          server {
            listen {{address.Authority}} reuseport;
            location / {
              proxy_pass http://engine;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
            }
          }
        }
        """;

    private static bool Answers(Uri address)
    {
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(address.Host, address.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
