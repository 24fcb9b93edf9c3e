%% The lamp as an OTP gen_statem.
-module(otp_lamp).
-behaviour(gen_statem).
-export([start_link/1, init/1, callback_mode/0, handle_event/4]).

%% Whoever is given is told of each start; a name would be asked for again and again.
start_link(Tell) -> gen_statem:start_link(?MODULE, Tell, []).

callback_mode() -> handle_event_function.

init(none) -> {ok, red, 0};
init(Tell) -> Tell ! {up, self()}, {ok, red, 0}.

handle_event(cast, next, red, Turns) -> {next_state, green, Turns + 1};
handle_event(cast, next, green, Turns) -> {next_state, yellow, Turns + 1};
handle_event(cast, next, yellow, Turns) -> {next_state, red, Turns + 1};
handle_event(cast, crash, _, _) -> error(crashed_on_request);
handle_event({call, From}, ask, _, Turns) -> {keep_state_and_data, [{reply, From, Turns}]}.
